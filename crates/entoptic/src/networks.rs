//! The networks that one image is optimized for.

use entoptic_network::Network;

use crate::Error;

/// One network or more. Objectives read the first unless they name [another](crate::objective::Objective::on).
///
/// ```
/// use entoptic::{Networks, network::zoo};
///
/// let network = zoo::squeezenet_v1_1();
/// let networks = Networks::from(&network);
/// assert_eq!(networks.first().description().name, "squeezenet_v1_1");
/// ```
#[derive(Clone)]
pub struct Networks<'a> {
    first: &'a Network,
    others: Vec<&'a Network>,
}

impl<'a> Networks<'a> {
    /// Several networks; the first is the one meant where none is named.
    ///
    /// ```
    /// use entoptic::{
    ///     Networks,
    ///     network::{Description, Network, zoo},
    /// };
    ///
    /// let first = zoo::squeezenet_v1_1();
    /// let description = Description { name: "second".into(), ..first.description().clone() };
    /// let second = Network::new(first.graph().clone(), description);
    /// let networks = Networks::new(&first, [&second]);
    /// let names: Vec<&str> = networks.iter().map(|network| network.description().name.as_str()).collect();
    /// assert_eq!(names, ["squeezenet_v1_1", "second"]);
    /// ```
    pub fn new(first: &'a Network, others: impl IntoIterator<Item = &'a Network>) -> Self {
        Self { first, others: others.into_iter().collect() }
    }

    /// The network meant where none is named.
    pub fn first(&self) -> &'a Network {
        self.first
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a Network> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// What goes wrong with `network`, which is named if it is not the only one.
    pub(crate) fn error(&self, network: &Network, source: entoptic_network::Error) -> Error {
        match self.others[..] {
            [] => source.into(),
            [..] => Error::OneOfNetworks { model: network.description().name.clone(), source: source.into() },
        }
    }

    /// The place of the network of this name, or of the first.
    ///
    /// # Errors
    /// [`Error::NoSuchModel`].
    pub(crate) fn place(&self, name: Option<&str>) -> Result<usize, Error> {
        let Some(name) = name else { return Ok(0) };
        self.iter().position(|network| network.description().name == name).ok_or_else(|| Error::NoSuchModel {
            model: name.to_owned(),
            known: self.iter().map(|network| network.description().name.clone()).collect(),
        })
    }
}

impl<'a> From<&'a Network> for Networks<'a> {
    fn from(network: &'a Network) -> Self {
        Self::new(network, [])
    }
}
