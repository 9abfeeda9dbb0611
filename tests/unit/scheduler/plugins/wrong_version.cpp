/// A plug-in of another version: nothing but its first number means what the loader knows.
extern "C" const unsigned* kernmill_cluster_plugin() {
  static const unsigned version = 999;
  return &version;
}
