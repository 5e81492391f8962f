// SPDX-License-Identifier: Apache-2.0
//! Evaluates a Sigma rule on each line of a file, and prints how many match.
//!
//! usage: rsigma-peer RULE FILE

use rsigma_eval::event::JsonEvent;
use rsigma_eval::Engine;
use std::io::BufRead;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let rule = std::fs::read_to_string(&arguments[1])?;
    let mut engine = Engine::new();
    engine.add_collection(&rsigma_parser::parse_sigma_yaml(&rule)?)?;

    let mut file = std::io::BufReader::with_capacity(1 << 20, std::fs::File::open(&arguments[2])?);
    let mut line = Vec::new();
    let mut matches = 0;
    while file.read_until(b'\n', &mut line)? > 0 {
        if let Ok(record) = serde_json::from_slice::<serde_json::Value>(&line) {
            matches += usize::from(!engine.evaluate(&JsonEvent::borrow(&record)).is_empty());
        }
        line.clear();
    }
    println!("{matches}");
    Ok(())
}
