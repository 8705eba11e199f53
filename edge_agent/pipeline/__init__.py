"""From audio to judgement to alert: threads and bounded queues."""
