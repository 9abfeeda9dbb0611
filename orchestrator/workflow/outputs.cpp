#include "kernmill/workflow/outputs.hpp"

namespace kernmill {

DeclaredOutput output_of(const Json& written) {
  DeclaredOutput output;
  output.name = written.is_object() ? written.at("path").get<std::string>() : written.get<std::string>();
  output.temp = written.is_object() && written.value("temp", false);
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
    for (const Json& written : *list) all.push_back(output_of(written));
  return all;
}

}  // namespace kernmill
