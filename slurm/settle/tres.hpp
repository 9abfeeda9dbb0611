#pragma once
#include <string>

#include "kernmill/slurm/settle/settle.hpp"

/// Devices in Slurm's own words ("trackable resources").
namespace kernmill::slurm {

/// "2" -> "gres:gpu:2", "a100:2,v100:1" -> "gres:gpu:a100:2,gres:gpu:v100:1"; an empty list stays empty.
std::string with_prefix(const std::string& prefix, const std::string& list);

/// "gres:gpu:", or as newer releases spell it.
std::string gpu_prefix(const Dialect& dialect);

/// What each task of a job gets.
std::string tres_per_task(const JobRequest& request, const Dialect& dialect);

/// How tasks are bound to devices; empty when nothing is asked for.
std::string tres_bind(const JobRequest& request, const Dialect& dialect);

}  // namespace kernmill::slurm
