"""What the JSON APIs share: strict reading, fields, marks of views, and their OpenAPI documents."""
