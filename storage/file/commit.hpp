#pragma once
#include <filesystem>
#include <functional>

#include "kernmill/storage/file/durable.hpp"

/// Private to storage/: how one rank writes a file that is there whole, or not at all.
namespace kernmill::storage {

/// `fill` makes the file that it is given the name of, and syncs it; `verify` reads what has reached the
/// disk; then the file gets its name, and is read-only. On any failure nothing is left.
void commit_file(const std::filesystem::path& file,
                 const std::function<void(const std::filesystem::path& temporary)>& fill,
                 const std::function<void(const std::filesystem::path& temporary)>& verify);

/// Throws the system_error of an injected fault.
void fail_at(std::string_view step, const std::filesystem::path& file);

}  // namespace kernmill::storage
