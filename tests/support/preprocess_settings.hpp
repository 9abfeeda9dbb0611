#pragma once
#include <nlohmann/json.hpp>

namespace kernmill::testing {

/// The settings of a preprocess stage as the orchestrator gives them to the task: defaults are filled in,
/// those of a split and a series, too.
inline nlohmann::ordered_json preprocess_settings(const nlohmann::ordered_json& changes) {
  using Json = nlohmann::ordered_json;
  const Json none = Json::array();
  Json all = {{"format", "auto"},
              {"delimiter", "auto"},
              {"decimal", "."},
              {"header", true},
              {"datasets", none},
              {"external_files", false},
              {"max_expansion", 100},
              {"missing", none},
              {"on_bad_row", "error"},
              {"buffer", 1 << 24},
              {"target", nullptr},
              {"features", none},
              {"drop", none},
              {"impute", {{"with", "none"}, {"value", ""}, {"indicator", false}}},
              {"encode", {{"as", "none"}, {"unknown", "error"}}},
              {"scale", "none"},
              {"precision", "auto"},
              {"sparse", "auto"},
              {"columns", Json::object()},
              {"split", {{"type", "none"}}},
              {"balance", "none"},
              {"shuffle", false},
              {"seed", 0},
              {"series", nullptr}};
  all.update(changes);
  Json& split = all["split"];
  if (!split.contains("stratify")) split["stratify"] = false;
  if (!split.contains("group")) split["group"] = "";
  if (all["series"].is_object() && !all["series"].contains("lags")) all["series"]["lags"] = none;
  return all;
}

}  // namespace kernmill::testing
