"""One running system (MLflow, training job, serving API, traffic) behind one protocol with two runtimes."""
