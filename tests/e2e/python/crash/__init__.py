"""The crash rig: a server under load is killed again and again, then everything is checked."""
