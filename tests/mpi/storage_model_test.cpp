#include <gmock/gmock.h>

#include "kernmill/storage/file/crc32c.hpp"
#include "kernmill/storage/model/model.hpp"
#include "shared_directory.hpp"

namespace kernmill::storage {
namespace {

class Models : public kernmill::testing::SharedDirectory {};

TEST_F(Models, EveryRankGetsWhatRankZeroWrote) {
  Model model;
  model.type = "softmax";
  model.settings = std::string(200000, 's');  // longer than an attribute may be
  model.schema.features = {"a", "b"};
  model.schema.classes = {"x", "y"};
  model.schema.target_kind = TargetKind::classes;
  model.schema.series = {"difference", 2, 3, {"a"}};
  model.parameters = {{"weights", {2, 2}, {1, 2, 3, 4}}, {"bias", {2}, {-1, -2}}};
  const auto file = directory / "model.h5";
  write_model(MPI_COMM_WORLD, file, model);
  const Model back = read_model(MPI_COMM_WORLD, file);
  EXPECT_EQ(back.type, model.type);
  EXPECT_EQ(back.settings, model.settings);
  EXPECT_EQ(back.schema.features, model.schema.features);
  EXPECT_EQ(back.schema.classes, model.schema.classes);
  EXPECT_EQ(back.schema.series.window, 2U);
  EXPECT_EQ(back.schema.series.horizon, 3U);
  ASSERT_EQ(back.parameters.size(), 2U);
  EXPECT_EQ(back.parameters[0].shape, (std::vector<std::uint64_t>{2, 2}));
  EXPECT_EQ(back.parameters[1].data, model.parameters[1].data);
}

TEST(Crc32c, AgreesWithThePublishedVectors) {  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::span<const char>("123456789", 9)), 0xE3069283U);
  const std::vector<char> zeros(32, 0), ones(32, '\xFF');
  EXPECT_EQ(crc32c(std::span<const char>(zeros)), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::span<const char>(ones)), 0x62A8AB43U);
}

TEST(Crc32c, ContinuesAnEarlierPiece) {
  const std::string text = "a text of an odd length, cut anywhere";
  const auto bytes = std::as_bytes(std::span(text));
  for (std::size_t cut = 0; cut <= text.size(); ++cut)
    EXPECT_EQ(crc32c(bytes.subspan(cut), crc32c(bytes.first(cut))), crc32c(bytes));
}

}  // namespace
}  // namespace kernmill::storage
