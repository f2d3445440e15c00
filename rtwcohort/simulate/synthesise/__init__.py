"""A synthetic copy of a real register: hazards, margins and associations fitted, people drawn anew."""
