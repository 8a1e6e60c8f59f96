use super::*;

#[test]
fn cells_are_text() {
    let opened = opened("sheet.xlsx");
    let third = format!("{}", value(1, 0));
    let expected = [
        ["t", "value", "whole", "ok", "label", "ratio", ""],
        ["2024-02-29T12:30:15", &format!("{}", value(0, 0)), "0", "false", "a & b", "0.5", "far"],
        ["2024-03-01T12:30:15", &third, "1000", "true", "wäve", "0.5", ""],
        ["2024-03-02T12:30:15", &format!("{}", value(2, 0)), "2000", "false", "", "", ""],
        ["2024-03-03", "-1e-300", "", "", "", "", ""],
    ];
    assert_eq!(cells_of(&opened), expected);
    assert_eq!(
        opened.notes,
        ["sheet `Data` of 2, the only one with cells", "1 formula error read as empty: #N/A in cell F4"]
    );
}

#[test]
fn several_sheets_need_a_name() {
    assert!(
        refusal("sheets.xlsx").contains("several sheets have cells: --sheet names one of `Data`, `More`")
    );
    let named = |sheet: &str| {
        open(&file("sheets.xlsx"), &Options { sheet: Some(sheet.into()), ..Options::default() })
    };
    assert_eq!(cells_of(&named("more").unwrap()), [["a", "b"]]);
    assert_eq!(cells_of(&named("Data").unwrap()).len(), 5);
    assert!(
        error(named("Date")).contains("no sheet is named \"Date\": the sheets are `Empty`, `Data`, `More`")
    );
    assert!(error(named("Empty")).contains("sheet `Empty` is empty"));
    assert!(refusal("empty.xlsx").contains("the spreadsheet is empty"));
}
