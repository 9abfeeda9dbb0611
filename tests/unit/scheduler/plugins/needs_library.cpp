extern "C" int something_else();

/// Linked with a library that is not where the loader of the system looks, as after an upgrade of Slurm.
extern "C" int kernmill_cluster_plugin() {
  return something_else();
}
