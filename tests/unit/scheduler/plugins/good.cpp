#include "kernmill/scheduler/cluster.hpp"

/// A plug-in whose cluster cannot be reached.
extern "C" const kernmill::ClusterPlugin* kernmill_cluster_plugin() {
  static const kernmill::ClusterPlugin plugin{
      kernmill::Cluster::interface_version, "nothing", []() -> kernmill::Cluster* {
        throw kernmill::ClusterError(kernmill::ClusterError::Kind::busy, "opened, and too busy");
      }};
  return &plugin;
}
