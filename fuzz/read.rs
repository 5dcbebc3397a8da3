//! What has to be true of any bytes, whoever wrote them.

use localpuppet::model::interface::{Data, Interface, Module};
use localpuppet::model::puppet_code::definition::definitions;
use localpuppet::model::puppet_code::lexer::lex;

/// Each character of a text may be looked at so often.
const MOST: usize = 64;

/// Reads bytes as Puppet code and as a document of ours: neither ends the program, takes
/// more than some steps a character, or says something else when it is read again.
pub fn anything(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(lexed) = lex(&text) {
        assert!(lexed.looked <= (text.len() + 1) * MOST, "{} for {}", lexed.looked, text.len());
    }
    let mut module = Module::new("foo".parse().expect("an app path"), Data::None);
    module.add("manifests/init.pp".to_owned(), definitions(&text));
    let mut interface = Interface::default();
    interface.insert("foo".to_owned(), module);
    again(&interface);
    if let Ok(interface) = Interface::from_json(bytes) {
        again(&interface);
    }
}

fn again(interface: &Interface) {
    let written = interface.to_json();
    let read = Interface::from_json(written.as_bytes()).expect("what was written");
    assert!(read == *interface && read.to_json() == written, "{written}");
}
