#pragma once
#include <cstdint>
#include <memory>
#include <string>

namespace kernmill {

/// The text of a file that a person wrote, kept so that a diagnostic can show its lines.
struct SourceFile {
  std::string path;  ///< as the user spelled it
  std::string text;
};

/// A place in a source file: 1-based line and column, and how many characters it spans on that line.
/// Line 0 means "the file as a whole"; without a file it is "nowhere" (a value that the program supplied).
struct Where {
  std::shared_ptr<const SourceFile> file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 1;
};

}  // namespace kernmill
