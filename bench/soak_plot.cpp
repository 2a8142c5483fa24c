#include "soak_plot.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <ranges>

#include "figure.hpp"
#include "picture.hpp"

namespace sx_bench {
namespace {

constexpr double kWidth = 880;
constexpr double kLeft = 70;
constexpr double kPlot = 780;
constexpr double kPanel = 120;
constexpr double kRow = 180;

struct Curve {
  std::string name;
  const char* colour;
  std::function<double(const SoakSample&)> value;
};

/// 1, 2 or 5 times a power of ten, at least `value`.
double round_up(double value) {
  if (value <= 0) return 1;
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double times : {1.0, 2.0, 5.0}) {
    if (times * power >= value) return times * power;
  }
  return 10 * power;
}

void panel(Picture& picture, double top, const std::string& title, const SoakSamples& samples,
           const std::vector<Curve>& curves) {
  double most = 0;
  for (const auto& curve : curves) {
    for (const auto& sample : samples) most = std::max(most, curve.value(sample));
  }
  const double high = round_up(most);
  const double seconds = std::max(1.0, samples.back().at);
  const auto x = [&](const SoakSample& s) { return kLeft + s.at / seconds * kPlot; };
  const auto y = [&](double value) { return top + kPanel - value / high * kPanel; };
  picture.words(kLeft, top - 10, title, "font-weight=\"bold\"");
  for (const double part : {0.0, 0.5, 1.0}) {
    picture.line(kLeft, y(part * high), kLeft + kPlot, y(part * high), "#e5e7eb");
    picture.words(kLeft - 6, y(part * high) + 4, shown(part * high),
                  "font-size=\"11\" fill=\"#6b7280\" text-anchor=\"end\"");
  }
  double at = kLeft + kPlot;
  for (const Curve& curve : curves | std::views::reverse) {
    at -= 14.0 + 7.0 * static_cast<double>(curve.name.size());
    picture.dot(at, top - 14, curve.colour, 1, 4);
    picture.words(at + 8, top - 10, curve.name, "font-size=\"12\"");
    for (std::size_t i = 1; i < samples.size(); ++i)
      picture.line(x(samples[i - 1]), y(curve.value(samples[i - 1])), x(samples[i]),
                   y(curve.value(samples[i])), curve.colour, 1.5);
  }
  picture.words(kLeft, top + kPanel + 16, "0", "font-size=\"11\" fill=\"#6b7280\"");
  picture.words(kLeft + kPlot, top + kPanel + 16, shown(std::round(seconds / 6) / 10) + " min",
                "font-size=\"11\" fill=\"#6b7280\" text-anchor=\"end\"");
}

}  // namespace

std::string soak_plot(const SoakSamples& samples) {
  Picture picture(kWidth, 4 * kRow + 20);
  panel(picture, 40, "all executors: memory, MB", samples,
        {{"PSS, sum", Picture::kBlue, [](const SoakSample& s) { return s.pss_mb; }},
         {"anonymous, sum", Picture::kGrey, [](const SoakSample& s) { return s.anonymous_mb; }}});
  panel(picture, 40 + kRow, "all executors: count and descriptors", samples,
        {{"executors", Picture::kGrey, [](const SoakSample& s) { return s.executors; }},
         {"descriptors, sum", Picture::kBlue, [](const SoakSample& s) { return s.descriptors; }}});
  panel(picture, 40 + 2 * kRow, "control group: memory, MB", samples,
        {{"resident, highest", Picture::kBlue,
          [](const SoakSample& s) { return s.control_rss_max_mb; }},
         {"anonymous, mean", Picture::kGrey,
          [](const SoakSample& s) { return s.control_anonymous_mb; }}});
  panel(
      picture, 40 + 3 * kRow, "control group: descriptors, mean", samples,
      {{"descriptors", Picture::kBlue, [](const SoakSample& s) { return s.control_descriptors; }}});
  return picture.done();
}

}  // namespace sx_bench
