"""A hook of MkDocs: what the site says of the project itself is read from the project's own files.

The version stands in the footer and in place of VERSION on the pages, the changelog is a page, and the repository is
linked as soon as pyproject.toml has its address under project.urls.
"""

import re
import tomllib
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
VERSION = re.search(r'^__version__ = "(.+)"', (ROOT / "lieder" / "__init__.py").read_text(encoding="utf-8"), re.M)[1]


def on_config(config):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    config.copyright = f"lieder {VERSION}, licence {project['license']}"
    address = project.get("urls", {}).get("Repository")
    if address:
        config.repo_url = address
    return config


def on_files(files, config):
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "changelog.md", content=text))
    return files


def on_page_markdown(markdown, **_):
    return markdown.replace("LIEDER_VERSION", VERSION)
