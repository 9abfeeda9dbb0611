#include "kernmill/exec/job/container.hpp"

#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kernmill::exec {
namespace {

constexpr std::string_view oci = "oci:";
constexpr const char* standard = "apptainer exec {nv} --bind {binds} {image}";

bool wants_gpus(const Resources& resources) {
  return !resources.gpus.empty() || !resources.gpus_per_node.empty() || !resources.gpus_per_task.empty() ||
         resources.gres.starts_with("gpu");
}

std::string replaced(std::string text, std::string_view what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

}  // namespace

std::string oci_bundle(const std::string& container) {
  return container.starts_with(oci) ? container.substr(oci.size()) : "";
}

std::vector<std::string> container_words(const std::string& image, const std::vector<std::string>& folders,
                                         const Resources& resources, const std::string& of_site) {
  const std::string pattern = of_site.empty() ? standard : of_site;
  for (const std::string& folder : folders)
    if (pattern.find("{binds}") != std::string::npos && folder.find_first_of(",:") != std::string::npos)
      throw std::runtime_error(
          fmt::format("the folder {} cannot be bound into a container: a ',' or ':' in its name "
                      "means something else there; rename it",
                      folder));
  std::istringstream words(pattern);
  std::vector<std::string> result;
  for (std::string word; words >> word;) {
    word = replaced(word, "{nv}", wants_gpus(resources) ? "--nv" : "");
    word = replaced(word, "{binds}", fmt::format("{}", fmt::join(folders, ",")));
    word = replaced(word, "{image}", image);
    if (!word.empty()) result.push_back(word);
  }
  return result;
}

}  // namespace kernmill::exec
