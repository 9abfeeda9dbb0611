#pragma once
#include <filesystem>

#include "kernmill/storage/error.hpp"

namespace kernmill::storage {

enum class FileKind { dataset, model, checkpoint, history };

/// What a file says that it is. Throws Error when it cannot be read, or is none of Kernmill's.
FileKind kind_of(const std::filesystem::path& file);

/// Whether it says that it is encrypted.
bool is_encrypted_file(const std::filesystem::path& file);

/// "dataset", "model", "checkpoint", "history".
const char* to_string(FileKind kind);

}  // namespace kernmill::storage
