"""The insurer's JSON API (`/insurer/v1`): policies as the insurer tells them, and customers whom its app brings."""
