#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <mpi.h>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/file/new_file.hpp"
#include "kernmill/storage/sealed/access.hpp"

/// kernmill-storage: what `kernmill data` and `kernmill model` start. Each function is one of their verbs,
/// writes to stdout, and returns done, or not_so where files that are compared differ. They throw Error.
namespace kernmill::storage::tool {

/// How a verb ended, in the process that runs it; main.cpp makes the program's exit status of it.
enum Status { done = 0, not_so = 1, failed = 2 };

struct Request {
  std::vector<std::filesystem::path> files;
  bool json = false;
  std::optional<Part> part;  ///< empty: all of them
  std::uint64_t rows = 10;
  std::filesystem::path output;
  Access access = {};
};

/// To look at a file, whether it is encrypted or not. (What proves one takes the request's own: with a key, a
/// plain file is not what it should be.)
Access access_to(const std::filesystem::path& file, const Request& request);

int show_data(const Request& request);
int show_head(const Request& request);
/// Reads all of a file, which proves it. Returns what it is.
std::string verify_file(const std::filesystem::path& file, const Access& access);
int compare_data(const Request& request);
/// Throws unless a dataset can be exported to a file of this name.
void require_exportable(const std::filesystem::path& to);
/// Into `out`, which is not published yet. Returns what to say of it when it is.
std::string export_data(const Request& request, const NewFile& out);
int show_model(const Request& request);

}  // namespace kernmill::storage::tool
