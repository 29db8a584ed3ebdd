@testable import Appliance
