"""Everything that runs confined with a stranger's code; nothing here decides anything."""
