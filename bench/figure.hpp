#pragma once
// What is measured, and how it is shown: table, JSON, Markdown.

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

namespace sx_bench {

struct Figure {
  std::string id;    ///< key in the JSON file
  std::string name;  ///< what the table calls it
  std::string unit;
  std::optional<double> limit;  ///< at most; judged against the median
  std::string go;               ///< what the Go executor does, as the issue has it; may be empty
  std::optional<double> go_value;
  std::vector<double> values;

  [[nodiscard]] double quantile(double q) const;  ///< nan without values
  [[nodiscard]] double median() const { return quantile(0.5); }
  [[nodiscard]] bool over() const;
};

using Figures = std::vector<Figure>;

const Figure* find_figure(const Figures& figures, const std::string& id);
std::string shown(double value);  ///< three digits that mean something
std::string limit_of(const Figure& figure);
std::string text_table(const Figures& figures);
std::string markdown_table(const Figures& figures);
boost::json::value to_json(const Figures& figures);

}  // namespace sx_bench
