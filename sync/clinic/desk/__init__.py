"""The door of the clinic: who on the staff is let in, and what they did."""
