"""What the cli and attack tests stand on. Each file of tests begins with `from support.case import BerthCase, main`."""
