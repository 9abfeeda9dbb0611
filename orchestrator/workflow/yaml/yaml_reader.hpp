#pragma once
#include <memory>
#include <optional>

#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// Reads the one YAML document of a file. Merge keys (`<<`) and aliases are applied, scalars are typed by the
/// core schema of YAML 1.2. Duplicate keys, broken syntax, unknown tags and bytes that are not UTF-8 are
/// diagnostics; nothing comes back when there is no document to go on with. An empty file is an empty value.
std::optional<Value> read_yaml(const std::shared_ptr<const SourceFile>& file, Diagnostics& diagnostics);

/// Reads a value from the command line: a list in [], a map in {} or a text in quotes as YAML has them, a
/// number, boolean or null by the same rules, and anything else as the text that it is: `run #5`, `&x`, `a:
/// b`.
std::optional<Value> read_argument(const std::shared_ptr<const SourceFile>& argument,
                                   Diagnostics& diagnostics);

}  // namespace kernmill
