//! The public items of the core are those of `api.txt`: a change of the interface is seen in its diff.
//!
//! All features and targets are in it, because conditions are not evaluated. Implementations that macros write are not.
//!
//! `MICRODISTILL_BLESS=1 cargo test -p microdistill-host-tools --test api` writes the file again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::{Fields, ImplItem, Item, TraitItem, UseTree, Visibility};

#[test]
fn the_core_s_interface_is_the_pinned_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = Source::read(&folder.join("../src"));
    let found = source.interface();
    let path = folder.join("tests/api.txt");
    if std::env::var_os("MICRODISTILL_BLESS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let pinned = fs::read_to_string(&path).unwrap();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (found_lines, pinned_lines) = (lines(&found), lines(&pinned));
    let gone: Vec<_> = pinned_lines.difference(&found_lines).collect();
    let new: Vec<_> = found_lines.difference(&pinned_lines).collect();
    assert!(
        found == pinned,
        "the interface changed, gone: {gone:#?}, new: {new:#?}; if that is meant, set MICRODISTILL_BLESS=1 and test again"
    );
}

/// A module's path from the root of the crate.
type Place = Vec<String>;

/// The modules of a crate, and the items in them.
struct Source(BTreeMap<Place, Vec<Item>>);

/// The thing that a path names.
enum Named<'a> {
    Module(Place),
    Item(&'a Item),
}

impl Source {
    fn read(folder: &Path) -> Self {
        let mut source = Source(BTreeMap::new());
        source.module(vec![], &folder.join("lib.rs"), folder);
        source
    }

    /// Reads the module of `file`, whose children lie in `folder`.
    fn module(&mut self, place: Place, file: &Path, folder: &Path) {
        let text = fs::read_to_string(file).unwrap();
        let items = syn::parse_file(&text).unwrap().items;
        for item in &items {
            let Item::Mod(module) = item else { continue };
            if module.content.is_some() {
                continue;
            }
            let name = module.ident.to_string();
            let candidates: [PathBuf; 2] =
                [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
            let file = candidates.iter().find(|path| path.is_file()).unwrap();
            let place = [place.as_slice(), std::slice::from_ref(&name)].concat();
            self.module(place, file, &folder.join(&name));
        }
        self.0.insert(place, items);
    }

    /// All lines, sorted.
    fn interface(&self) -> String {
        let (mut lines, mut types) = (BTreeSet::new(), BTreeSet::new());
        self.public(&vec![], &mut lines, &mut types);
        for item in self.0.values().flatten() {
            if let Item::Impl(block) = item {
                implementation(block, &types, &mut lines);
            }
            if let Item::Macro(made) = item
                && let Some(name) = &made.ident
                && made.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"))
            {
                lines.insert(format!("macro {name}!"));
            }
        }
        lines.into_iter().map(|line| line + "\n").collect()
    }

    /// The public items of a public module, and of those that it publishes.
    fn public(&self, place: &Place, lines: &mut BTreeSet<String>, types: &mut BTreeSet<String>) {
        for item in &self.0[place] {
            match item {
                Item::Mod(module) if is_public(&module.vis) => {
                    let inner = [place.as_slice(), &[module.ident.to_string()]].concat();
                    lines.insert(format!("mod {}", inner.join("::")));
                    if self.0.contains_key(&inner) {
                        self.public(&inner, lines, types);
                    }
                }
                Item::Use(import) if is_public(&import.vis) => {
                    for (path, name) in names(&import.tree) {
                        let at = [place.as_slice(), &[name]].concat().join("::");
                        match self.find(place, &path) {
                            Some(Named::Item(item)) => describe(item, &at, lines, types),
                            Some(Named::Module(module)) => {
                                lines.insert(format!("mod {at} = {}", module.join("::")));
                            }
                            None => {
                                lines.insert(format!("use {at} = {}", path.join("::")));
                            }
                        }
                    }
                }
                _ => {
                    if let Some((visibility, name)) = head(item)
                        && is_public(visibility)
                    {
                        let at = [place.as_slice(), &[name]].concat().join("::");
                        describe(item, &at, lines, types);
                    }
                }
            }
        }
    }

    /// The thing that `path` names in the module `place`.
    fn find(&self, place: &Place, path: &[String]) -> Option<Named<'_>> {
        let mut here = place.clone();
        for (index, segment) in path.iter().enumerate() {
            match segment.as_str() {
                "crate" => here.clear(),
                "self" => {}
                "super" => _ = here.pop(),
                name => {
                    let inner = [here.as_slice(), std::slice::from_ref(segment)].concat();
                    if self.0.contains_key(&inner) {
                        here = inner;
                        continue;
                    }
                    match self.member(&here, name)? {
                        Named::Module(module) => here = module,
                        item => return (index + 1 == path.len()).then_some(item),
                    }
                }
            }
        }
        Some(Named::Module(here))
    }

    /// An item of the module `place`, defined or imported there.
    fn member(&self, place: &Place, name: &str) -> Option<Named<'_>> {
        let items = self.0.get(place)?;
        if let Some(item) = items.iter().find(|item| head(item).is_some_and(|(_, own)| own == name)) {
            return Some(Named::Item(item));
        }
        let imports = items.iter().filter_map(|item| match item {
            Item::Use(import) => Some(names(&import.tree)),
            _ => None,
        });
        let (path, _) = imports.flatten().find(|(path, own)| own == name && path.first() != Some(own))?;
        self.find(place, &path)
    }
}

/// The paths of an import, each with the name it gets.
fn names(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => {
            let before = path.ident.to_string();
            let inner = names(&path.tree).into_iter();
            inner.map(|(rest, name)| ([vec![before.clone()], rest].concat(), name)).collect()
        }
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(name) => vec![(vec![name.ident.to_string()], name.rename.to_string())],
        UseTree::Glob(_) => vec![(vec!["*".into()], "*".into())],
        UseTree::Group(group) => group.items.iter().flat_map(names).collect(),
    }
}

/// Visibility and name of an item that is neither a module nor an import.
fn head(item: &Item) -> Option<(&Visibility, String)> {
    let (visibility, name) = match item {
        Item::Const(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Fn(item) => (&item.vis, &item.sig.ident),
        Item::Static(item) => (&item.vis, &item.ident),
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        Item::Type(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    Some((visibility, name.to_string()))
}

/// Lines of an item that is published as `at`.
fn describe(item: &Item, at: &str, lines: &mut BTreeSet<String>, types: &mut BTreeSet<String>) {
    if let Some((_, name)) = head(item) {
        types.insert(name);
    }
    let mut add = |line: String| _ = lines.insert(line);
    match item {
        Item::Const(item) => add(format!("const {at}: {}", text(&item.ty))),
        Item::Static(item) => add(format!("static {at}: {}", text(&item.ty))),
        Item::Type(item) => add(format!("type {at}{} = {}", text(&item.generics), text(&item.ty))),
        Item::Fn(item) => add(format!("{at}: {}", text(&item.sig))),
        Item::Enum(item) => {
            add(format!("enum {at}{}", text(&item.generics)));
            for variant in &item.variants {
                add(format!("{at}::{}{}", variant.ident, text(&variant.fields)));
            }
        }
        Item::Struct(item) => {
            add(format!("struct {at}{}", text(&item.generics)));
            let named = matches!(item.fields, Fields::Named(_));
            for (index, field) in item.fields.iter().enumerate().filter(|(_, field)| is_public(&field.vis)) {
                let name = if named { text(&field.ident) } else { index.to_string() };
                add(format!("{at}.{name}: {}", text(&field.ty)));
            }
        }
        Item::Trait(item) => {
            add(format!("trait {at}{}: {}", text(&item.generics), text(&item.supertraits)));
            for inner in &item.items {
                let (kind, inner) = match inner {
                    TraitItem::Const(inner) => ("const ", format!("{}: {}", inner.ident, text(&inner.ty))),
                    TraitItem::Type(inner) => {
                        let (generics, bounds) = (text(&inner.generics), text(&inner.bounds));
                        ("type ", format!("{}{generics}: {bounds}", inner.ident))
                    }
                    TraitItem::Fn(inner) => ("", text(&inner.sig)),
                    _ => continue,
                };
                add(format!("{at}: {kind}{inner}"));
            }
        }
        _ => {}
    }
}

/// Lines of an `impl`, if its type is public.
fn implementation(block: &syn::ItemImpl, types: &BTreeSet<String>, lines: &mut BTreeSet<String>) {
    let syn::Type::Path(own) = &*block.self_ty else { return };
    let Some(name) = own.path.segments.last().map(|segment| segment.ident.to_string()) else { return };
    if !types.contains(&name) {
        return;
    }
    let own = format!("{} {}", text(&block.generics), text(&block.self_ty));
    if let Some((_, path, _)) = &block.trait_ {
        lines.insert(format!("impl{} {} for {}", text(&block.generics), text(path), text(&block.self_ty)));
        return;
    }
    for item in &block.items {
        let line = match item {
            ImplItem::Fn(item) if is_public(&item.vis) => text(&item.sig),
            ImplItem::Const(item) if is_public(&item.vis) => {
                format!("const {}: {}", item.ident, text(&item.ty))
            }
            _ => continue,
        };
        lines.insert(format!("impl{own}: {line}"));
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Tokens, with fewer spaces between them.
fn text(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (loose, tight) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("& ", "&"),
        ("? ", "?"),
        (" ,", ","),
        ("( ", "("),
        (" (", "("),
        (" )", ")"),
        (" ;", ";"),
        ("[ ", "["),
        (" ]", "]"),
        (" :", ":"),
        ("' ", "'"),
        ("- >", "->"),
        (",)", ")"),
        (",>", ">"),
    ] {
        text = text.replace(loose, tight);
    }
    text
}
