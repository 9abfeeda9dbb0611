#pragma once
#include <string>
#include <vector>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/run/directory/run_directory.hpp"

/// Runs for commands that do something in the user's name: only those that the user may believe (ADR 0011).
namespace kernmill::cli {

/// Adds --owned-by.
void add_acting_options(boost::program_options::options_description& options);

/// The run that the user named (`last`: the user's own). Throws UsageError when it, or what is read of it, is
/// somebody else's or may be written by others, unless --owned-by names its owner.
RunDirectory run_to_act_on(const Arguments& arguments, const std::string& selector);

/// All runs of this user, or of whom --owned-by names, oldest first.
std::vector<RunDirectory> own_runs(const Arguments& arguments);

/// Why nothing may be done with one of those; empty: it may.
std::string why_left_alone(const RunDirectory& run, const Arguments& arguments);

/// Lets the jobs of a run know who was vouched for: a new run on a file system that gives its files to
/// another user (as NFS does to root) is this process's all the same.
void vouch_for_new(const RunDirectory& run);

}  // namespace kernmill::cli
