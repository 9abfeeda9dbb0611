#pragma once
#include <cstdio>
#include <filesystem>
#include <functional>

namespace kernmill::cli {

/// Copies a file to `out` from its beginning, and then what is appended to it, until `over` says that nothing
/// more will come. The file may not exist yet. `over` is asked whenever something in `signals` (a folder)
/// changes, and once a second.
void follow(const std::filesystem::path& file, const std::filesystem::path& signals,
            const std::function<bool()>& over, std::FILE* out);

/// Copies what the file has now, from `offset` on; returns the offset behind it. An absent file is empty.
std::uintmax_t copy_from(const std::filesystem::path& file, std::uintmax_t offset, std::FILE* out);

}  // namespace kernmill::cli
