"""The pages supervisors, operators and administrators use."""
