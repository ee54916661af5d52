"""Problems from plain functions of a user: checked, differentiated and estimated where something was left out."""
