#include "cli/ctl/json_text.hpp"

#include <array>
#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace coordination::ctl {

namespace json = boost::json;

namespace {

constexpr std::size_t indent_width = 2;

std::string number_text(double number)
{
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    std::string text(digits.data(), end);
    if (text.find_first_of(".e") == std::string::npos)
        text += ".0"; // was written as a fraction, and stays one
    return text;
}

class Writer {
public:
    explicit Writer(bool pretty) : pretty_(pretty) {}

    void write(const json::value& value)
    {
        if (const auto* object = value.if_object())
            members(*object);
        else if (const auto* array = value.if_array())
            elements(*array);
        else if (value.is_double())
            out_ += number_text(value.get_double());
        else
            out_ += json::serialize(value);
    }

    std::string take() { return std::move(out_); }

private:
    void members(const json::object& object)
    {
        out_ += '{';
        ++depth_;
        const char* separator = "";
        for (const auto& member : object) {
            out_ += separator;
            separator = ",";
            break_line();
            out_ += json::serialize(json::string_view(member.key()));
            out_ += pretty_ ? ": " : ":";
            write(member.value());
        }
        close('}', object.empty());
    }

    void elements(const json::array& array)
    {
        out_ += '[';
        ++depth_;
        const char* separator = "";
        for (const auto& element : array) {
            out_ += separator;
            separator = ",";
            break_line();
            write(element);
        }
        close(']', array.empty());
    }

    void close(char bracket, bool empty)
    {
        --depth_;
        if (!empty)
            break_line();
        out_ += bracket;
    }

    void break_line()
    {
        if (pretty_)
            out_.append(1, '\n').append(depth_ * indent_width, ' ');
    }

    bool pretty_;
    std::size_t depth_ = 0;
    std::string out_;
};

} // namespace

std::string compact_json(const json::value& value)
{
    Writer writer{false};
    writer.write(value);
    return writer.take();
}

std::string pretty_json(const json::value& value)
{
    Writer writer{true};
    writer.write(value);
    return writer.take();
}

} // namespace coordination::ctl
