#include "kernmill/workflow/outputs.hpp"

namespace kernmill {

DeclaredOutput output_of(const std::string& written) {
  DeclaredOutput output{written};
  while (output.name.size() > 1 && output.name.ends_with('/')) {
    output.name.pop_back();
    output.folder = true;
  }
  return output;
}

std::vector<DeclaredOutput> outputs_of(const Json& config) {
  std::vector<DeclaredOutput> all;
  const auto list = config.find("outputs");
  if (list != config.end())
    for (const Json& written : *list) all.push_back(output_of(written.get<std::string>()));
  return all;
}

}  // namespace kernmill
