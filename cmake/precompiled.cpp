// Nothing of its own: carries the precompiled headers (KernmillTargets.cmake).
