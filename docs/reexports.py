"""An extension of griffe for the API pages: what a room's front door re-exports as `X as X` is public."""

import griffe


class Reexports(griffe.Extension):
    """Give each room the list of names that its `__init__` brings out."""

    def on_module(self, *, mod, **_):
        if mod.is_init_module and mod.exports is None:
            names = [name for name, member in mod.members.items() if member.is_alias and not name.startswith("_")]
            mod.exports = [name for name in names if mod.members[name].target_path.startswith(f"{mod.path}.")] or None
