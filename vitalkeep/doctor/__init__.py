"""What `vitalkeep doctor` looks at; each check reads and changes nothing."""
