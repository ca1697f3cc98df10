"""A template by plain substitution: values become placeholders, everything else stays."""

from pipeline.generate.llm.plain_template import plain_template


def test_values_become_placeholders_and_equal_ones_the_same() -> None:
    code = (
        "size = 32  # 32 of them\nshape = (size, 32, 0.5, 1e-3)\n"
        "name = 'cat'\nother = \"cat's\" + 'cat'\nlayer_2 = conv2d\n"
    )
    assert plain_template(code) == (
        "size = <<number_1>>  # 32 of them\nshape = (size, <<number_1>>, <<number_2>>, <<number_3>>)\n"
        "name = <<text_1>>\nother = <<text_2>> + <<text_1>>\nlayer_2 = conv2d\n"
    )


def test_longer_strings_and_code_that_is_no_python() -> None:
    assert plain_template('x = """one\n2"""\nprint "3"') == "x = <<text_1>>\nprint <<text_2>>"
    assert plain_template("it's 3 o'clock") == "it<<text_1>>clock"
