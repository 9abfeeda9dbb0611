#pragma once
#include <string>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/tool/describe.hpp"

namespace kernmill::storage::tool {

/// How the numbers of a dataset lie in its file, for programs and for people.
Json encoding_json(const DatasetReader& data);
std::string encoding_text(const DatasetReader& data);
/// In few words: "uint8", "sparse float32, target int32".
std::string encoding_name(const DatasetReader& data);

}  // namespace kernmill::storage::tool
