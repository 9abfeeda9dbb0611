#include "kernmill/tasks/data/prepare/transform.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

[[noreturn]] void damaged(const storage::Step& step, const std::string& why) {
  throw TaskError(fmt::format("the stored preprocessing step '{}' {}", step.kind, why), {},
                  "was the file written by a newer Kernmill?");
}

void require_sizes(const storage::Step& step, std::size_t numbers, std::size_t texts) {
  if (step.numbers.size() != numbers || step.texts.size() != texts)
    damaged(step, "has too few numbers or texts");
}

double index_of(const std::vector<std::string>& categories, const std::string& text) {
  return static_cast<double>(std::find(categories.begin(), categories.end(), text) - categories.begin());
}

}  // namespace

Transform::Transform(const std::vector<storage::InputColumn>& inputs,
                     const std::vector<storage::Step>& steps) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Feature feature;
    feature.name = inputs[i].name;
    feature.input = i;
    feature.categories = static_cast<double>(inputs[i].categories.size());
    features_.push_back(std::move(feature));
  }
  for (const storage::Step& step : steps) add(step, inputs);
}

std::vector<std::string> Transform::names() const {
  std::vector<std::string> names;
  for (const Feature& feature : features_) names.push_back(feature.name);
  return names;
}

std::size_t Transform::find(const std::string& name) const {
  const auto found =
      std::find_if(features_.begin(), features_.end(), [&](const Feature& f) { return f.name == name; });
  if (found == features_.end())
    throw TaskError(fmt::format("the stored preprocessing has no column '{}'", name));
  return static_cast<std::size_t>(found - features_.begin());
}

void Transform::add(const storage::Step& step, const std::vector<storage::InputColumn>& inputs) {
  const std::size_t n = step.columns.size();
  if (step.kind == "one_hot" || step.kind == "ordinal") return encode(step, inputs);
  const bool known = step.kind == "impute" || step.kind == "impute_category" || step.kind == "indicator" ||
                     step.kind == "scale" || step.kind == "rename";
  if (!known) damaged(step, "is unknown");
  const bool texts = step.kind == "impute_category" || step.kind == "rename";
  require_sizes(step, step.kind == "impute" ? n : step.kind == "scale" ? 2 * n : 0, texts ? n : 0);
  // Most often a step is about all columns in order: then the next one is the one to look for.
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t at =
        i < features_.size() && features_[i].name == step.columns[i] ? i : find(step.columns[i]);
    Feature& feature = features_[at];
    if (step.kind == "scale") {
      feature.center = step.numbers[i];
      feature.scale = step.numbers[n + i];
    } else if (step.kind == "rename") {
      feature.name = step.texts[i];
    } else if (step.kind == "indicator") {
      Feature indicator;
      indicator.name = feature.name + " missing";
      indicator.input = feature.input;
      indicator.kind = Kind::missing;
      features_.push_back(std::move(indicator));
    } else {
      feature.imputed = true;
      feature.fill =
          step.kind == "impute" ? step.numbers[i] : index_of(inputs[feature.input].categories, step.texts[i]);
    }
  }
}

void Transform::encode(const storage::Step& step, const std::vector<storage::InputColumn>& inputs) {
  if (step.columns.size() != 1 || step.numbers.size() != 1) damaged(step, "is about one column");
  const std::size_t at = find(step.columns[0]);
  Feature feature = features_[at];
  if (inputs[feature.input].categories != step.texts) damaged(step, "has other categories than the column");
  features_.erase(features_.begin() + static_cast<std::ptrdiff_t>(at));
  std::vector<Feature> made;
  if (step.kind == "ordinal") {
    feature.kind = Kind::ordinal;
    made.push_back(feature);
  } else {
    feature.kind = Kind::one_hot;
    for (std::size_t i = 0; i < step.texts.size(); ++i) {
      made.push_back(feature);
      made.back().name = feature.name + "=" + step.texts[i];
      made.back().category = static_cast<double>(i);
    }
  }
  features_.insert(features_.begin() + static_cast<std::ptrdiff_t>(at), made.begin(), made.end());
}

std::vector<Transform::Run> Transform::runs() const {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < features_.size(); ++i) {
    const Feature& feature = features_[i];
    const bool one_hot = feature.kind == Kind::one_hot && !feature.is_scaled();
    const bool goes_on = one_hot && !runs.empty() && runs.back().one_hot &&
                         features_[runs.back().first].input == feature.input &&
                         feature.category == static_cast<double>(runs.back().count);
    if (goes_on)
      ++runs.back().count;
    else
      runs.push_back({i, 1, one_hot && feature.category == 0});
  }
  return runs;
}

void Transform::apply(std::span<const double> rows, std::size_t stride, std::vector<double>& features) const {
  const std::uint64_t count = rows.size() / stride;
  const std::vector<Run> all = runs();
  const std::size_t before = features.size();
  features.resize(before + count * features_.size(), 0);
  double* out = features.data() + before;
  for (std::uint64_t i = 0; i < count; ++i, out += features_.size()) {
    const double* const row = rows.data() + i * stride;
    for (const Run& run : all)
      if (!run.one_hot)
        out[run.first] = features_[run.first].value(row[features_[run.first].input]);
      else if (const std::size_t category = category_in(run, row); category < run.count)
        out[run.first + category] = 1;
  }
}

}  // namespace kernmill::tasks
