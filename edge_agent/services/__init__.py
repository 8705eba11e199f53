"""One verb per function, used by the pipeline, the web and the command line alike."""
