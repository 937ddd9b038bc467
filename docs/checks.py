"""A hook of MkDocs: what a reader would trip over on the built pages is a warning, which ends a strict build."""

import re

from mkdocs.plugins import get_plugin_logger

LOG = get_plugin_logger("checks")

ENTRY = re.compile(r'<div class="doc doc-object doc-(class|function)">(.*?)<div class="doc doc-contents', re.DOTALL)
NAME = re.compile(r'id="(lieder[\w.]*)"')
CODE = re.compile(r"<(pre|code|math)\b.*?</\1>", re.DOTALL)
# Nobody makes an object of these: errors, and what other classes promise.
NEVER_MADE = {"lieder.linalg.Inconsistent", "lieder.representation.NotSplit", "lieder.sampling.Pieces"}
LEFTOVER = re.compile(r"\|<em>|<em>[*_|]|arithmatex|\$\$|LIEDER_VERSION")


def on_post_page(output, page, **_):
    """Warns of an entry without a signature, or signs of mathematics that became markup."""
    if page.file.src_uri.startswith("api/"):
        bare = [NAME.search(text)[1] for _, text in ENTRY.findall(output) if "doc-signature" not in text]
        # Nor of abstract classes.
        bare = [name for name in bare if not name.rsplit(".", 1)[-1].startswith("Abstract") and name not in NEVER_MADE]
        if bare:
            LOG.warning(f"{page.file.src_uri}: no signature is shown for {', '.join(bare)}.")
    text = CODE.sub("", output)
    if found := LEFTOVER.search(text):
        around = text[max(0, found.start() - 60) : found.end() + 60]
        LOG.warning(f"{page.file.src_uri}: {found[0]!r} was not typeset, in {around!r}.")
    return output
