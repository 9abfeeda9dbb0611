#pragma once
#include <string>
#include <vector>

#include "kernmill/workflow/workflow.hpp"

namespace kernmill::exec {

/// The bundle that `container: oci:/path` names, for Slurm's own --container; empty when it is an image.
std::string oci_bundle(const std::string& container);

/// The words that run a program in an image, before those of the program: `apptainer exec`, with the folders
/// bound that it reads and writes, and the GPUs if it asks for any. A template with {image}, {binds} and {nv}
/// (the option, or nothing) replaces them.
std::vector<std::string> container_words(const std::string& image, const std::vector<std::string>& folders,
                                         const Resources& resources, const std::string& of_site);

}  // namespace kernmill::exec
