//! Python's pickles: programs for a machine with a stack, which make values.
//!
//! Only what describes data is followed; see [`Global`] for the functions that may be called.
//!
//! # Reference
//! `Lib/pickletools.py` in Python describes every opcode; protocols 0 to 5.

use std::collections::BTreeMap;

use super::{
    globals::{Global, persistent},
    source::Stream,
    values::{Ref, Value, Values},
};

/// Runs one pickle to its end: all that it made, and its result.
pub fn read(stream: &mut Stream<'_>) -> Result<(Values, Ref), String> {
    let (values, stack, marks, memo) = Default::default();
    let mut machine = Machine { stream, values, stack, marks, memo };
    for _ in 0..MOST_STEPS {
        match machine.stream.byte()? {
            b'.' => {
                let result = machine.pop()?;
                return Ok((machine.values, result));
            }
            opcode => machine.step(opcode)?,
        }
    }
    Err(format!("its pickle has more than {MOST_STEPS} steps"))
}

/// A state dict takes about twenty steps for a tensor; each can be a byte of the file and a hundred of memory.
const MOST_STEPS: usize = 1 << 18;

/// What is longer names no tensor, and a pickle could repeat it often.
const LONGEST_NAME: usize = 1 << 10; // bytes

/// More than any call that is followed has use for.
const MOST_ARGUMENTS: usize = 8;

struct Machine<'a, 'b> {
    stream: &'a mut Stream<'b>,
    values: Values,
    stack: Vec<Ref>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: BTreeMap<u64, Ref>,
}

impl Machine<'_, '_> {
    /// The opcodes that make a value; the names are those of pickletools.
    fn step(&mut self, opcode: u8) -> Result<(), String> {
        let value = match opcode {
            b'N' | 0x88 | 0x89 => Value::Opaque,       // NONE, NEWTRUE, NEWFALSE
            b'I' => whole(self.stream.line()?.trim()), // INT
            b'L' => whole(self.stream.line()?.trim().trim_end_matches('L')), // LONG
            b'K' => Value::Int(self.number::<1>()?.into()), // BININT1
            b'M' => Value::Int(self.number::<2>()?.into()), // BININT2
            b'J' => Value::Int(i32::from_le_bytes(self.stream.array()?).into()), // BININT
            0x8a => long(&self.bytes::<1>()?),         // LONG1
            0x8b => long(&self.bytes::<4>()?),         // LONG4
            b'F' => self.stream.line().map(|_| Value::Opaque)?, // FLOAT
            b'G' => self.number::<8>().map(|_| Value::Opaque)?, // BINFLOAT

            b'S' => text(self.stream.line()?.trim().trim_matches(['\'', '"']).as_bytes()), // STRING
            b'V' => text(self.stream.line()?.as_bytes()),                                  // UNICODE
            b'U' | 0x8c => text(&self.bytes::<1>()?), // SHORT_BINSTRING, SHORT_BINUNICODE
            b'T' | b'X' => text(&self.bytes::<4>()?), // BINSTRING, BINUNICODE
            0x8d => text(&self.bytes::<8>()?),        // BINUNICODE8
            b'C' => self.bytes::<1>().map(|_| Value::Opaque)?, // SHORT_BINBYTES
            b'B' => self.bytes::<4>().map(|_| Value::Opaque)?, // BINBYTES
            0x8e | 0x96 => self.bytes::<8>().map(|_| Value::Opaque)?, // BINBYTES8, BYTEARRAY8

            b')' => Value::Tuple(Vec::new()),                           // EMPTY_TUPLE
            0x85 => Value::Tuple(self.pop_some(1)?),                    // TUPLE1
            0x86 => Value::Tuple(self.pop_some(2)?),                    // TUPLE2
            0x87 => Value::Tuple(self.pop_some(3)?),                    // TUPLE3
            b't' => Value::Tuple(self.pop_to_mark()?),                  // TUPLE
            b']' => Value::List(Vec::new()),                            // EMPTY_LIST
            b'l' => Value::List(self.pop_to_mark()?),                   // LIST
            b'}' => Value::Dict(Vec::new()),                            // EMPTY_DICT
            b'd' => Value::Dict(pairs(&self.pop_to_mark()?).collect()), // DICT
            0x8f => Value::Opaque,                                      // EMPTY_SET
            0x91 => self.pop_to_mark().map(|_| Value::Opaque)?,         // FROZENSET

            b'c' => Value::Global(Global::named(&self.stream.line()?, &self.stream.line()?)), // GLOBAL
            0x93 => Value::Global(self.named_global()?),                                      // STACK_GLOBAL
            b'Q' => Value::Storage(persistent(self.pop()?, &self.values)?.into()),            // BINPERSID
            _ => return self.act(opcode),
        };
        let value = self.values.add(value);
        self.stack.push(value);
        Ok(())
    }

    /// The opcodes that do something else.
    fn act(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            0x80 => self.number::<1>().map(drop)?, // PROTO
            0x95 => self.number::<8>().map(drop)?, // FRAME

            b'(' => self.marks.push(self.stack.len()),    // MARK
            b'0' | b'b' => self.pop().map(drop)?,         // POP; BUILD, of attributes, which no tensor depends on
            b'1' | 0x90 => self.pop_to_mark().map(drop)?, // POP_MARK; ADDITEMS, to a set
            b'2' => self.stack.push(self.top()?),         // DUP

            b'p' => self.line_key().and_then(|key| self.remember(key))?, // PUT
            b'q' => self.number::<1>().and_then(|key| self.remember(key))?, // BINPUT
            b'r' => self.number::<4>().and_then(|key| self.remember(key))?, // LONG_BINPUT
            0x94 => self.remember(self.memo.len() as u64)?,              // MEMOIZE
            b'g' => self.line_key().and_then(|key| self.recall(key))?,   // GET
            b'h' => self.number::<1>().and_then(|key| self.recall(key))?, // BINGET
            b'j' => self.number::<4>().and_then(|key| self.recall(key))?, // LONG_BINGET

            b'a' => self.pop_some(1).and_then(|items| self.fill(&items))?, // APPEND
            b's' => self.pop_some(2).and_then(|items| self.fill(&items))?, // SETITEM
            b'e' | b'u' => self.pop_to_mark().and_then(|items| self.fill(&items))?, // APPENDS, SETITEMS

            b'R' => self.call(Global::call)?,     // REDUCE
            0x81 => self.call(Global::instance)?, // NEWOBJ
            0x92 => self.pop().and_then(|_by_name| self.call(Global::instance))?, // NEWOBJ_EX

            _ => {
                let at = self.stream.position() - 1;
                return Err(format!("its pickle has an unknown opcode, {opcode:#04x} at byte {at}"));
            }
        }
        Ok(())
    }

    fn top(&self) -> Result<Ref, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.stack[floor..].last().copied().ok_or_else(underflow)
    }

    fn pop(&mut self) -> Result<Ref, String> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Ref>, String> {
        let mark = self.marks.pop().ok_or_else(underflow)?;
        Ok(self.stack.drain(mark..).collect())
    }

    fn pop_some(&mut self, count: usize) -> Result<Vec<Ref>, String> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        Ok(items)
    }

    /// An unsigned number of so many bytes.
    fn number<const SIZE: usize>(&mut self) -> Result<u64, String> {
        let bytes: [u8; SIZE] = self.stream.array()?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Bytes after their number, which takes so many bytes itself.
    fn bytes<const SIZE: usize>(&mut self) -> Result<Vec<u8>, String> {
        let length = self.number::<SIZE>()?;
        self.stream.bytes(length)
    }

    /// A key of the memo, in digits.
    fn line_key(&mut self) -> Result<u64, String> {
        self.stream.line()?.trim().parse().map_err(|_| "its pickle has a key that is no number".into())
    }

    fn remember(&mut self, key: u64) -> Result<(), String> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<(), String> {
        let value =
            self.memo.get(&key).ok_or_else(|| format!("its pickle recalls value {key}, which it never made"))?;
        self.stack.push(*value);
        Ok(())
    }

    /// Adds to the list or the dictionary on top.
    fn fill(&mut self, more: &[Ref]) -> Result<(), String> {
        let top = self.top()?;
        match &mut self.values[top] {
            Value::List(items) => items.extend(more),
            Value::Dict(entries) => entries.extend(pairs(more)),
            Value::Opaque => {}
            _ => return Err("its pickle adds to something that is no list or dictionary".into()),
        }
        Ok(())
    }

    fn named_global(&mut self) -> Result<Global, String> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (self.values.text(module), self.values.text(name)) {
            (Some(module), Some(name)) => Ok(Global::named(module, name)),
            _ => Err("its pickle names a function with something else than text".into()),
        }
    }

    fn call(&mut self, how: impl Fn(&Global, &[Ref], &mut Values) -> Result<Ref, String>) -> Result<(), String> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let (Value::Global(global), Some(arguments)) = (&self.values[function], self.values.items(arguments)) else {
            return Err("its pickle calls something that is no function".into());
        };
        let arguments: Vec<Ref> = arguments.iter().take(MOST_ARGUMENTS).copied().collect();
        let result = how(&global.clone(), &arguments, &mut self.values)?;
        self.stack.push(result);
        Ok(())
    }
}

fn text(bytes: &[u8]) -> Value {
    if bytes.len() > LONGEST_NAME {
        return Value::Opaque;
    }
    Value::Text(String::from_utf8_lossy(bytes).into_owned())
}

fn whole(digits: &str) -> Value {
    digits.parse().map_or(Value::Opaque, Value::Int)
}

/// A number of any size, in two's complement; one too large for anything here stays unknown.
fn long(bytes: &[u8]) -> Value {
    let negative = bytes.last().is_some_and(|highest| highest & 0x80 != 0);
    let mut number = [if negative { 0xff } else { 0 }; size_of::<i128>()];
    let Some(low) = number.get_mut(..bytes.len()) else { return Value::Opaque };
    low.copy_from_slice(bytes);
    Value::Int(i128::from_le_bytes(number))
}

fn pairs(items: &[Ref]) -> impl Iterator<Item = (Ref, Ref)> {
    items.as_chunks().0.iter().map(|&[key, value]| (key, value))
}

fn underflow() -> String {
    "its pickle takes more from its stack than is there".into()
}
