#include <gmock/gmock.h>

#include "kernmill/workflow/parse/overrides.hpp"
#include "workflow_fixture.hpp"

namespace kernmill {
namespace {

using ::testing::HasSubstr;

const std::string stages = "stages: {a: {run: ls}}\n";

StorageSettings storage_of(const std::string& workflow, const ParseOptions& options = {}) {
  return parse_good(workflow + stages, options).workflow.storage;
}

ParseOptions around(const std::string& site, const std::string& profile, std::vector<Setter> set = {}) {
  return {.set = std::move(set), .outer_defaults = {{"site.yaml", site}, {"profile.yaml", profile}}};
}

TEST(StorageKeys, LeaveTheTransportToTheFileSystemAtFirst) {
  EXPECT_EQ(storage_of(""), StorageSettings{});
  EXPECT_EQ(to_json(StorageSettings{}), Json::object());
  EXPECT_FALSE(to_json(parse_good(stages).workflow).contains("storage"));
}

TEST(StorageKeys, AreOverriddenFromTheSiteFileToTheCommandLine) {
  const std::string site = "storage: {transport: posix, hints: {cb_nodes: 4, striping_unit: 1048576}}";
  EXPECT_EQ(storage_of("", around(site, "")).transport, "posix");
  EXPECT_EQ(storage_of("", around(site, "storage: {transport: mpiio}")).transport, "mpiio");
  EXPECT_EQ(storage_of("defaults: {storage: {transport: auto}}\n", around(site, "")).transport, "auto");
  EXPECT_EQ(
      storage_of("defaults: {storage: {transport: auto}}\nstorage: {transport: mpiio}\n", around(site, ""))
          .transport,
      "mpiio");
  EXPECT_EQ(storage_of("storage: {transport: mpiio}\n", around(site, "", {{"storage.transport", "posix"}}))
                .transport,
            "posix");
  EXPECT_EQ(storage_of("", around(site, "", {{"storage.transport", "mpiio"}})).transport, "mpiio")
      << "the workflow need not have it";
}

TEST(StorageKeys, MergeHintsByName) {
  const StorageSettings storage =
      storage_of("storage: {hints: {cb_nodes: 2}}\n",
                 around("storage: {hints: {cb_nodes: 4, striping_unit: 1048576}}",
                        "storage: {hints: {romio_cb_write: disable}}", {{"storage.hints.cb_nodes", "8"}}));
  EXPECT_EQ(storage.transport, "auto");
  EXPECT_EQ(storage.hints,
            Json({{"cb_nodes", "8"}, {"striping_unit", "1048576"}, {"romio_cb_write", "disable"}}));
}

TEST(StorageKeys, TakeParameters) {
  EXPECT_EQ(storage_of("params: {how: mpiio, n: 3}\nstorage: {transport: '${{ params.how }}', hints: "
                       "{cb_nodes: '${{ params.n }}'}}\n"),
            (StorageSettings{"mpiio", {{"cb_nodes", "3"}}}));
}

TEST(StorageKeys, SurviveTheWayThroughJson) {
  const Workflow workflow =
      parse_good("storage: {transport: mpiio, hints: {cb_nodes: 4}}\n" + stages).workflow;
  EXPECT_EQ(workflow_from_json(Json::parse(to_json(workflow).dump())).storage, workflow.storage);
}

TEST(StorageKeys, MistakesAreToldWithTheirPlaces) {
  const auto mistakes = [](const std::string& text) { return parse(text + stages).text(); };
  EXPECT_THAT(mistakes("storage: {transport: mpio}\n"),
              HasSubstr("test.yaml:1:22: error: 'transport' takes auto, posix or mpiio, not 'mpio'"));
  EXPECT_THAT(mistakes("storage: {transport: mpio}\n"), HasSubstr("did you mean 'mpiio'?"));
  EXPECT_THAT(mistakes("storage: {trasport: auto}\n"), HasSubstr("did you mean 'transport'?"));
  EXPECT_THAT(mistakes("storage: mpiio\n"), HasSubstr("'storage' takes a map of settings"));
  EXPECT_THAT(mistakes("storage: {hints: [cb_nodes]}\n"),
              HasSubstr("'hints' takes a map from names to values, such as {cb_nodes: 4}"));
  EXPECT_THAT(mistakes("storage: {hints: {cb_nodes: [4]}}\n"), HasSubstr("'cb_nodes' takes a text"));
  EXPECT_THAT(mistakes("storage: {hints: {cb_nodes: ''}}\n"),
              HasSubstr("MPI takes texts of 1 to 1023 bytes"));
  EXPECT_THAT(mistakes("storage: {hints: {cb_nods: 4}}\n"),
              HasSubstr("test.yaml:1:19: warning: 'cb_nods' is no hint that MPI or ROMIO has"));
  EXPECT_EQ(mistakes("storage: {hints: {cray_cb_write_lock_mode: 2}}\n"), "") << "another MPI has others";
  EXPECT_THAT(mistakes("stages: {b: {run: ls, storage: {transport: auto}}}\n#"),
              HasSubstr("unknown key 'storage'"));
}

}  // namespace
}  // namespace kernmill
