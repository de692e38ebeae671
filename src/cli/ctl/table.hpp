#pragma once

#include <string>
#include <vector>

#include "cli/ctl/style.hpp"

namespace coordination::ctl {

enum class Align { left, right };

struct Column {
    std::string title;
    Align align = Align::left;
};

struct Cell {
    Cell(std::string content, Colour tint = Colour::none);

    std::string text; ///< already fit for a terminal
    Colour colour = Colour::none;
};

/// Rows under titles, each column as wide as its widest cell, two blanks between them.
class Table {
public:
    explicit Table(std::vector<Column> columns);

    /// Has as many cells as there are columns.
    void add(std::vector<Cell> row);
    bool empty() const { return rows_.empty(); }

    /// One line per row, each ended by a newline. `columns` is the width of the terminal: the last column is
    /// shortened to fit into it; 0 means no bound.
    std::string render(const Style& style, std::size_t columns) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

/// Names and values side by side, the names aligned: for one thing in detail.
class Details {
public:
    void add(std::string name, Cell value);
    std::string render(const Style& style) const;

private:
    std::vector<std::pair<std::string, Cell>> lines_;
};

} // namespace coordination::ctl
