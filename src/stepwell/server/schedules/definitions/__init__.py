"""What a schedule is, and how that changes: by people, by a plan, by a release."""
