"""The console front end: pages as data, drawn by urwid or asked line by line."""
