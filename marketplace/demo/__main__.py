"""`python -m marketplace.demo`."""

from marketplace.demo.commands import demo

if __name__ == "__main__":
    demo(prog_name="python -m marketplace.demo")
