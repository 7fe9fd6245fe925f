"""What the web server imports: `wsgi:app`."""

from marketplace.app import create_app

app = create_app()
