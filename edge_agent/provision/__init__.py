"""Making a machine an appliance: certificates, broker, devices, demonstration floor."""
