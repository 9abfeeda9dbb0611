#include "kernmill/plan/packed_instance.hpp"

namespace kernmill {

// A list, since packs have thousands of them.
Json to_json(const PackedInstance& instance) {
  return Json::array({instance.index, instance.attempt, instance.failures, instance.out_of_memory,
                      instance.started_before, instance.time});
}

PackedInstance packed_instance_from_json(const Json& json) {
  return {json.at(0), json.at(1), json.at(2), json.at(3), json.at(4), json.at(5)};
}

}  // namespace kernmill
